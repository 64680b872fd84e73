package sqlite

import (
	"context"
	"embed"
	"fmt"
)

// format is the newest format that this package reads, and what it writes.
const format = 5

// migrations are numbered by the format that they lead to.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate runs one migration inside the open transaction.
func (c *conn) migrate(version int) error {
	text, err := migrations.ReadFile(fmt.Sprintf("migrations/%03d.sql", version))
	if err != nil {
		return err
	}
	if err := c.script(string(text)); err != nil {
		return fmt.Errorf("migrating to format %d: %w", version, err)
	}
	return c.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
}

// migrate brings an older format up to date, after a backup, in one
// transaction.
func (s *Store) migrate(ctx context.Context, from int) error {
	if _, err := s.AutoBackup(ctx, fmt.Sprintf("format-%d", from)); err != nil {
		return fmt.Errorf("before the migration: %w", err)
	}
	return s.write(ctx, func(t *tx) error {
		for version := from + 1; version <= format; version++ {
			if err := t.c.migrate(version); err != nil {
				return err
			}
			if err := t.convert(version); err != nil {
				return fmt.Errorf("migrating to format %d: %w", version, err)
			}
		}
		return nil
	})
}

// convert changes the rows that were there before a migration.
func (t *tx) convert(version int) error {
	switch version {
	case 3:
		// Who is who first: windows belong to persons.
		err := t.joinSpellings()
		if err == nil {
			err = t.tiesFromInbound()
		}
		if err == nil {
			err = t.windowsFromInbound()
		}
		return err
	case 4:
		return t.joinSpellings()
	}
	return nil
}
