package providers_test

import (
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/sandbox"
)

// The interfaces that other packages expect of the providers.
var (
	_ providers.Webhook = (*cloud.Provider)(nil)
	_ providers.Webhook = (*dialog360.Provider)(nil)
	_ providers.Webhook = (*kaleyra.Provider)(nil)
	_ providers.Webhook = (*onemsg.Provider)(nil)
	_ providers.Webhook = (*sandbox.Provider)(nil)

	_ providers.Poller = (*cloud.Provider)(nil)
	_ providers.Poller = (*onemsg.Provider)(nil)
	_ providers.Poller = (*sandbox.Provider)(nil)

	_ providers.Reader = (*cloud.Provider)(nil)
	_ providers.Reader = (*dialog360.Provider)(nil)
	_ providers.Reader = (*onemsg.Provider)(nil)
	_ providers.Reader = (*sandbox.Provider)(nil)

	_ providers.Checker = (*cloud.Provider)(nil)
	_ providers.Checker = (*dialog360.Provider)(nil)
	_ providers.Checker = (*onemsg.Provider)(nil)
	_ providers.Checker = (*sandbox.Provider)(nil)

	_ providers.PathGuard = (*dialog360.Provider)(nil)
	_ providers.PathGuard = (*kaleyra.Provider)(nil)
	_ providers.PathGuard = (*onemsg.Provider)(nil)
)
