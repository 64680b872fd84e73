package sqlite

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// networkMagic are file systems that reach over a network or out of a virtual
// machine, by the magic numbers of statfs(2) and linux/magic.h, read 2026-09.
var networkMagic = map[int64]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9p",
	0x65735546: "FUSE",
	0x5346414f: "AFS",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x73757245: "Coda",
	0x564c:     "NCP",
}

// networkFS names the network file system that path is on; "" for none.
func networkFS(path string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &fs); err != nil {
		return "" // the open that follows says what is wrong
	}
	return networkMagic[int64(uint32(fs.Type))]
}

// FreeSpace is how many bytes may still be written where path is.
func FreeSpace(path string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &fs); err != nil {
		return 0, fmt.Errorf("asking for the free space at %s: %w", path, err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}
