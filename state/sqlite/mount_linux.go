package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountedAlone reports whether the file at path is a mount of its own.
func mountedAlone(path string) (bool, error) {
	file, ok := mountOf(path)
	folder, known := mountOf(filepath.Dir(path))
	if ok && known {
		return file != folder, nil
	}
	return listedMount(path) // before Linux 5.8
}

// mountOf is the id of the mount that path is on (statx(2), read 2026-11).
func mountOf(path string) (id uint64, ok bool) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID, &st); err != nil {
		return 0, false
	}
	return st.Mnt_id, st.Mask&unix.STATX_MNT_ID != 0
}

// listedMount looks for the path among the mount points of this process.
func listedMount(path string) (bool, error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if errors.Is(err, os.ErrNotExist) {
		return false, nil // no procfs: nothing can be told
	}
	if err != nil {
		return false, fmt.Errorf("looking for its mount: %w", plainError(err))
	}
	if path, err = filepath.Abs(path); err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return false, plainError(err)
	}
	return isMount(string(table), path), nil
}

// isMount reports whether path is a mount point of a table in the form of
// proc_pid_mountinfo(5), where the fifth field is the mount point and blanks are
// octal escapes.
func isMount(table, path string) bool {
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 4 && plain.Replace(fields[4]) == path {
			return true
		}
	}
	return false
}
