// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * The calls of an application that java.nio does not have. Each returns the negative errno when it
 * fails.
 */
final class Syscalls {
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0100;
    static final int O_EXCL = 0200;
    static final int O_TRUNC = 01000;
    static final int O_APPEND = 02000;
    static final int O_SYNC = 04010000;
    static final int O_DIRECTORY = 0200000;
    static final int AT_FDCWD = -100;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private Syscalls() {}

    private static long call(String name, FunctionDescriptor descriptor, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle handle =
                    LINKER.downcallHandle(
                            LINKER.defaultLookup().findOrThrow(name),
                            descriptor,
                            Linker.Option.captureCallState("errno"));
            MemorySegment state = arena.allocate(STATE);
            Object[] all = new Object[arguments.length + 1];
            all[0] = state;
            for (int i = 0; i < arguments.length; i++) {
                Object a = arguments[i];
                if (a instanceof Path p) {
                    a = arena.allocateFrom(p.toString());
                } else if (a instanceof String s) {
                    a = arena.allocateFrom(s);
                }
                all[i + 1] = a;
            }
            long result = ((Number) handle.invokeWithArguments(all)).longValue();
            return result >= 0 ? result : -(int) ERRNO.get(state, 0L);
        } catch (Throwable t) {
            throw new IllegalStateException(name, t);
        }
    }

    private static FunctionDescriptor returningInt(MemoryLayout... arguments) {
        return FunctionDescriptor.of(JAVA_INT, arguments);
    }

    private static FunctionDescriptor returningLong(MemoryLayout... arguments) {
        return FunctionDescriptor.of(JAVA_LONG, arguments);
    }

    static int open(Path path, int flags, int mode) {
        FunctionDescriptor d = returningInt(ADDRESS, JAVA_INT, JAVA_INT);
        return (int) call("open", d, path, flags, mode);
    }

    static int close(int fd) {
        return (int) call("close", returningInt(JAVA_INT), fd);
    }

    static int fsync(int fd) {
        return (int) call("fsync", returningInt(JAVA_INT), fd);
    }

    static int fdatasync(int fd) {
        return (int) call("fdatasync", returningInt(JAVA_INT), fd);
    }

    static long write(int fd, String text) {
        FunctionDescriptor d = returningLong(JAVA_INT, ADDRESS, JAVA_LONG);
        return call("write", d, fd, text, (long) text.length());
    }

    /** pread(2) of bytes that nobody looks at. */
    static long pread(int fd, int count, long offset) {
        try (Arena arena = Arena.ofConfined()) {
            FunctionDescriptor d = returningLong(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
            return call("pread", d, fd, arena.allocate(count), (long) count, offset);
        }
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        FunctionDescriptor d = returningInt(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
        return (int) call("fallocate", d, fd, mode, offset, length);
    }

    /** posix_fadvise(2), POSIX_FADV_DONTNEED: the kernel gives its pages of the file up. */
    static int forgetPages(int fd) {
        FunctionDescriptor d = returningInt(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
        return (int) call("posix_fadvise", d, fd, 0L, 0L, 4);
    }

    static long lseek(int fd, long offset, int whence) {
        return call("lseek", returningLong(JAVA_INT, JAVA_LONG, JAVA_INT), fd, offset, whence);
    }

    /** copy_file_range(2) from and to given offsets. */
    static long copyFileRange(int in, long from, int out, long to, long length) {
        try (Arena arena = Arena.ofConfined()) {
            FunctionDescriptor d =
                    returningLong(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
            MemorySegment fromPointer = arena.allocateFrom(JAVA_LONG, from);
            MemorySegment toPointer = arena.allocateFrom(JAVA_LONG, to);
            return call("copy_file_range", d, in, fromPointer, out, toPointer, length, 0);
        }
    }

    static int renameat2(Path from, Path to, int flags) {
        FunctionDescriptor d = returningInt(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
        return (int) call("renameat2", d, AT_FDCWD, from, AT_FDCWD, to, flags);
    }

    static int mknod(Path path, int mode, long device) {
        FunctionDescriptor d = returningInt(ADDRESS, JAVA_INT, JAVA_LONG);
        return (int) call("mknod", d, path, mode, device);
    }

    static int setxattr(Path path, String name, String value, int flags) {
        FunctionDescriptor d = returningInt(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);
        long size = value.length();
        return (int) call("setxattr", d, path, name, value, size, flags);
    }

    /** The value, or "-" and the errno. */
    static String getxattr(Path path, String name, int room) {
        try (Arena arena = Arena.ofConfined()) {
            FunctionDescriptor d = returningLong(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
            MemorySegment value = arena.allocate(Math.max(room, 1));
            long n = call("getxattr", d, path, name, value, (long) room);
            if (n < 0 || room == 0) {
                return String.valueOf(n);
            }
            return new String(value.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8);
        }
    }

    static int removexattr(Path path, String name) {
        return (int) call("removexattr", returningInt(ADDRESS, ADDRESS), path, name);
    }
}
