// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The handful of C functions that the door needs, bound by hand.
 *
 * <p><b>Errors</b>: a call that fails returns the negative errno, never -1. The two calls made for
 * every request take the memory that receives errno from the caller, so that they allocate nothing.
 *
 * <p><b>Threads</b>: any. {@link #read} blocks in the kernel and holds its carrier: platform
 * threads only.
 */
final class Libc {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int EAGAIN = 11;
    static final int EBUSY = 16;
    static final int ENODEV = 19;
    static final int EINVAL = 22;
    static final int ENOTTY = 25;
    static final int ENOSYS = 38;
    static final int EPROTO = 71;
    static final int ECONNABORTED = 103;
    static final int ENOTCONN = 107;

    static final int O_RDWR = 2;
    static final int O_CLOEXEC = 0x80000;

    static final long MS_RDONLY = 1;
    static final long MS_NOSUID = 2;
    static final long MS_NODEV = 4;

    static final int MNT_FORCE = 1;
    static final int MNT_DETACH = 2;
    static final int UMOUNT_NOFOLLOW = 8;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    /** struct msghdr, struct cmsghdr with one descriptor, posix_spawn_file_actions_t with room. */
    private static final int MSGHDR_BYTES = 56;

    private static final int CONTROL_BYTES = 24;
    private static final int CONTROL_HEADER_BYTES = 16;
    private static final int SPAWN_ACTIONS_BYTES = 256;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE_LAYOUT = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    private static final MethodHandle OPEN =
            variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE =
            bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            bind("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITEV =
            bind("writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle IOCTL =
            variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle MOUNT =
            bind(
                    "mount",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    private static final MethodHandle UMOUNT2 =
            bind("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle GETEUID = plain("geteuid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle GETEGID = plain("getegid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle SOCKETPAIR =
            bind(
                    "socketpair",
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle PIPE2 =
            bind("pipe2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle RECVMSG =
            bind("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle WAITPID =
            bind("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle SPAWN_ACTIONS_INIT =
            plain("posix_spawn_file_actions_init", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle SPAWN_ACTIONS_DUP2 =
            plain(
                    "posix_spawn_file_actions_adddup2",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle SPAWN_ACTIONS_DESTROY =
            plain("posix_spawn_file_actions_destroy", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle SPAWNP =
            plain(
                    "posix_spawnp",
                    FunctionDescriptor.of(
                            JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    private Libc() {}

    /** Memory that receives errno, for {@link #read} and {@link #writev}. */
    static MemorySegment allocateState(Arena arena) {
        return arena.allocate(STATE_LAYOUT);
    }

    /** read(2): the count, or the negative errno. */
    static long read(MemorySegment state, int fd, MemorySegment buffer, long bytes) {
        try {
            long n = (long) READ.invokeExact(state, fd, buffer, bytes);
            return n >= 0 ? n : -errno(state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** writev(2) of {@code count} entries of struct iovec: the count, or the negative errno. */
    static long writev(MemorySegment state, int fd, MemorySegment iov, int count) {
        try {
            long n = (long) WRITEV.invokeExact(state, fd, iov, count);
            return n >= 0 ? n : -errno(state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            return result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, 0), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            return result((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** ioctl(2) with a pointer to one 32-bit number. */
    static int ioctl(int fd, long request, int argument) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            MemorySegment number = arena.allocateFrom(JAVA_INT, argument);
            return result((int) IOCTL.invokeExact(state, fd, request, number), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int mount(String source, String target, String type, long flags, String data) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            int result =
                    (int)
                            MOUNT.invokeExact(
                                    state,
                                    arena.allocateFrom(source),
                                    arena.allocateFrom(target),
                                    arena.allocateFrom(type),
                                    flags,
                                    arena.allocateFrom(data));
            return result(result, state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int umount2(String target, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            return result(
                    (int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), flags), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int geteuid() {
        try {
            return (int) GETEUID.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int getegid() {
        try {
            return (int) GETEGID.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A connected pair of descriptors, or one negative errno. */
    record Pair(int first, int second) {
        boolean failed() {
            return first < 0;
        }
    }

    /** socketpair(2), local stream, closed on exec. */
    static Pair socketpair() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            MemorySegment fds = arena.allocate(JAVA_INT, 2);
            int result =
                    (int)
                            SOCKETPAIR.invokeExact(
                                    state, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
            return pair(result, state, fds);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** pipe2(2): reading end first, closed on exec. */
    static Pair pipe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            MemorySegment fds = arena.allocate(JAVA_INT, 2);
            return pair((int) PIPE2.invokeExact(state, fds, O_CLOEXEC), state, fds);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * Receives one descriptor over a local socket (SCM_RIGHTS), closed on exec.
     *
     * @return the descriptor, or the negative errno; -EPROTO when the other end closed or sent none
     */
    static int receiveDescriptor(int socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            MemorySegment payload = arena.allocate(8);
            MemorySegment iov = arena.allocate(16, 8);
            iov.set(ADDRESS, 0, payload);
            iov.set(JAVA_LONG, 8, 1);
            MemorySegment control = arena.allocate(CONTROL_BYTES, 8);
            MemorySegment message = arena.allocate(MSGHDR_BYTES, 8);
            message.set(ADDRESS, 16, iov);
            message.set(JAVA_LONG, 24, 1);
            message.set(ADDRESS, 32, control);
            message.set(JAVA_LONG, 40, CONTROL_BYTES);
            long n;
            do {
                n = (long) RECVMSG.invokeExact(state, socket, message, MSG_CMSG_CLOEXEC);
            } while (n < 0 && errno(state) == EINTR);
            if (n < 0) {
                return -errno(state);
            }
            boolean carriesOne =
                    n > 0
                            && message.get(JAVA_LONG, 40) >= CONTROL_HEADER_BYTES + 4
                            && control.get(JAVA_INT, 8) == SOL_SOCKET
                            && control.get(JAVA_INT, 12) == SCM_RIGHTS;
            return carriesOne ? control.get(JAVA_INT, CONTROL_HEADER_BYTES) : -EPROTO;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Descriptor {@code from} of this process becomes {@code to} in the child. */
    record Inherited(int from, int to) {}

    /**
     * posix_spawnp(3) of {@code command[0]}, found on PATH, with the given descriptors and nothing
     * else open.
     *
     * @return the child's process id, or the negative errno
     */
    static int spawn(List<String> command, List<String> environment, List<Inherited> descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment actions = arena.allocate(SPAWN_ACTIONS_BYTES, 16);
            int error = (int) SPAWN_ACTIONS_INIT.invokeExact(actions);
            for (Inherited d : descriptors) {
                if (error == 0) {
                    error = (int) SPAWN_ACTIONS_DUP2.invokeExact(actions, d.from(), d.to());
                }
            }
            MemorySegment pid = arena.allocate(JAVA_INT);
            if (error == 0) {
                error =
                        (int)
                                SPAWNP.invokeExact(
                                        pid,
                                        arena.allocateFrom(command.getFirst()),
                                        actions,
                                        MemorySegment.NULL,
                                        strings(arena, command),
                                        strings(arena, environment));
            }
            int unused = (int) SPAWN_ACTIONS_DESTROY.invokeExact(actions);
            return error == 0 ? pid.get(JAVA_INT, 0) : -error;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Waits for a child; its exit status, 128 + signal, or the negative errno. */
    static int waitFor(int pid) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = allocateState(arena);
            MemorySegment status = arena.allocate(JAVA_INT);
            int result;
            do {
                result = (int) WAITPID.invokeExact(state, pid, status, 0);
            } while (result < 0 && errno(state) == EINTR);
            if (result < 0) {
                return -errno(state);
            }
            int code = status.get(JAVA_INT, 0);
            return (code & 0x7F) == 0 ? (code >> 8) & 0xFF : 128 + (code & 0x7F);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static MemorySegment strings(Arena arena, List<String> values) {
        List<MemorySegment> each = new ArrayList<>();
        values.forEach(v -> each.add(arena.allocateFrom(v)));
        MemorySegment array = arena.allocate(ADDRESS, values.size() + 1L);
        for (int i = 0; i < each.size(); i++) {
            array.setAtIndex(ADDRESS, i, each.get(i));
        }
        return array;
    }

    private static Pair pair(int result, MemorySegment state, MemorySegment fds) {
        return result < 0
                ? new Pair(-errno(state), -1)
                : new Pair(fds.getAtIndex(JAVA_INT, 0), fds.getAtIndex(JAVA_INT, 1));
    }

    private static int result(int result, MemorySegment state) {
        return result >= 0 ? result : -errno(state);
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, CAPTURE);
    }

    private static MethodHandle plain(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor);
    }

    private static MethodHandle variadic(String name, int fixed, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                descriptor,
                CAPTURE,
                Linker.Option.firstVariadicArg(fixed));
    }

    /**
     * A call through a correctly typed handle throws nothing; errors of the JVM pass as they are.
     */
    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return new IllegalStateException("a native call failed to be made", t);
    }
}
