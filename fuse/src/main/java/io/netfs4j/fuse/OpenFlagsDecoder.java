// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.server.Access;
import io.netfs4j.vfs.OpenFlags;

/** The numbers of open(2)'s flags, some of which differ between processors. */
final class OpenFlagsDecoder {
    private static final int O_ACCMODE = 3;
    private static final int O_WRONLY = 1;
    private static final int O_RDWR = 2;
    private static final int O_EXCL = 0200;
    private static final int O_TRUNC = 01000;
    private static final int O_APPEND = 02000;
    private static final int O_DSYNC = 010000;

    /** O_SYNC contains O_DSYNC. */
    private static final int O_SYNC_ALONE = 04000000;

    private static final int O_DIRECT = isArm() ? 0200000 : 040000;

    private final boolean kernelWritesBack;

    /**
     * @param kernelWritesBack the kernel's write-back cache is on: it appends by itself, and reads
     *     around what was written through files opened for writing only
     */
    OpenFlagsDecoder(boolean kernelWritesBack) {
        this.kernelWritesBack = kernelWritesBack;
    }

    OpenFlags decode(int flags) {
        boolean sync = (flags & O_SYNC_ALONE) != 0;
        return new OpenFlags(
                access(flags & O_ACCMODE),
                (flags & O_APPEND) != 0 && !kernelWritesBack,
                (flags & O_TRUNC) != 0,
                (flags & O_EXCL) != 0,
                sync,
                !sync && (flags & O_DSYNC) != 0,
                (flags & O_DIRECT) != 0);
    }

    private Access access(int mode) {
        return switch (mode) {
            case O_WRONLY -> kernelWritesBack ? Access.READ_WRITE : Access.WRITE;
            case O_RDWR, O_ACCMODE -> Access.READ_WRITE;
            default -> Access.READ;
        };
    }

    private static boolean isArm() {
        String processor = System.getProperty("os.arch", "");
        return processor.equals("aarch64") || processor.startsWith("arm");
    }
}
