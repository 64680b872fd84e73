package sqlite

import (
	"context"
	"embed"
	"fmt"
)

// format is the newest format that this package reads, and what it writes.
const format = 11

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
		}
		if err := t.convert(from); err != nil {
			return fmt.Errorf("migrating to format %d: %w", format, err)
		}
		return nil
	})
}

// convert changes the rows of an older format, which SQL alone cannot:
//
//	format 3 keeps who is who, and windows by sending number
//	format 4 takes the two numbers of everybody in Benin for one
//	format 6 keeps what was told about who is who
//	format 7 keeps lanes
//	format 8 keeps what is managed in accounts
//	format 9 keeps products of managed catalogs
//	format 10 keeps arms, variants and attributes of attempts, and who is held out
//	format 11 keeps the links of messages
func (t *tx) convert(from int) error {
	// Who is who comes first, since windows belong to persons.
	steps := []func() error{t.joinSpellings, t.tiesFromInbound, t.windowsFromInbound}
	switch {
	case from >= 7:
		return nil
	case from >= 6:
		steps = nil
	case from >= 3:
		steps = []func() error{t.circlesFromTies, t.joinSpellings}
	}
	for _, step := range append(steps, t.lanesOfFormat6) {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
