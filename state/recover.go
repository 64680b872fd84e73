package state

import "context"

// RecoverAll puts in doubt what runs left open at any number, and returns how many attempts there were. The caller holds
// the lock of the state, so that no run has anything under way.
func RecoverAll(ctx context.Context, s Sends) (n int, err error) {
	numbers, err := s.Unsettled(ctx)
	if err != nil {
		return 0, err
	}
	for _, number := range numbers {
		found, err := s.Recover(ctx, number)
		if err != nil {
			return n, err
		}
		n += found
	}
	return n, nil
}
