// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The system calls that take a machine's power away, as far as its programs and disk can tell. */
final class Linux {
    private static final int O_RDONLY = 0;
    private static final int O_RDWR = 2;
    private static final int SIGSTOP = 19;

    /** Writes pages back, and waits for them. */
    private static final int SYNC_FILE_RANGE_ALL = 7;

    /** EXT4_IOC_SHUTDOWN; XFS has the same. */
    private static final long SHUTDOWN = 0x8004587dL;

    /** How a file system is shut down, and what of its own journal is written first. */
    enum Shutdown {
        /** What it has committed. */
        LOG_FLUSHED(1),

        /** Nothing. */
        AT_ONCE(2);

        private final int flags;

        Shutdown(int flags) {
            this.flags = flags;
        }
    }

    private final MethodHandle open;
    private final MethodHandle close;
    private final MethodHandle ioctl;
    private final MethodHandle kill;
    private final MethodHandle syncFileRange;

    Linux() {
        open =
                call(
                        "open",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                        Linker.Option.firstVariadicArg(2));
        close = call("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        ioctl =
                call(
                        "ioctl",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS),
                        Linker.Option.firstVariadicArg(2));
        kill =
                call(
                        "kill",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        syncFileRange =
                call(
                        "sync_file_range",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
    }

    private static MethodHandle call(
            String name, FunctionDescriptor type, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find(name).orElseThrow(), type, options);
    }

    /** Has a process do nothing any more; what the kernel does for it goes on. */
    void stop(long pid) throws IOException {
        try {
            if ((int) kill.invokeExact((int) pid, SIGSTOP) < 0) {
                throw new IOException("cannot stop process " + pid);
            }
        } catch (Throwable e) {
            throw failed("kill", e);
        }
    }

    /** Has a file system write nothing any more; all of it fails from then on. */
    void shutDown(Path mountPoint, Shutdown how) throws IOException {
        onFile(
                mountPoint,
                O_RDONLY,
                (file, arena) -> {
                    MemorySegment flags = arena.allocateFrom(ValueLayout.JAVA_INT, how.flags);
                    return (int) ioctl.invokeExact(file, SHUTDOWN, flags);
                });
    }

    /** Has the kernel write a part of a file back, as it may at any time. */
    void writeBack(Path path, long offset, long bytes) throws IOException {
        onFile(
                path,
                O_RDWR,
                (file, arena) ->
                        (int) syncFileRange.invokeExact(file, offset, bytes, SYNC_FILE_RANGE_ALL));
    }

    private interface Use {
        int of(int file, Arena arena) throws Throwable;
    }

    private void onFile(Path path, int flags, Use use) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int file = (int) open.invokeExact(arena.allocateFrom(path.toString()), flags);
            if (file < 0) {
                throw new IOException("cannot open " + path);
            }
            try {
                if (use.of(file, arena) < 0) {
                    throw new IOException("refused for " + path);
                }
            } finally {
                int unused = (int) close.invokeExact(file);
            }
        } catch (Throwable e) {
            throw failed("system call", e);
        }
    }

    private static IOException failed(String what, Throwable e) {
        return e instanceof IOException io ? io : new IOException(what, e);
    }
}
