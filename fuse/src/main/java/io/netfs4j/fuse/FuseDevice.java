// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One open descriptor of /dev/fuse. Each reader has its own, cloned from the one that was mounted:
 * the kernel keeps the requests in hand for each descriptor apart, so a reply must go to the
 * descriptor that its request was read from.
 *
 * <p><b>Ownership</b>: counted. The reader holds one reference and so does each request that it
 * handed over; the descriptor is closed with the last, so that no late reply can reach a descriptor
 * number that something else has been given meanwhile.
 *
 * <p><b>Threads</b>: any.
 */
final class FuseDevice {
    static final String PATH = "/dev/fuse";

    /** {@code _IOR(229, 0, uint32_t)}. */
    private static final long FUSE_DEV_IOC_CLONE = 0x8004_E500L;

    private final int fd;
    private final AtomicInteger references = new AtomicInteger(1);

    FuseDevice(int fd) {
        this.fd = fd;
    }

    int fd() {
        return fd;
    }

    /**
     * Opens another descriptor of the same connection.
     *
     * @return the descriptor, or null where the kernel cannot (then readers share one)
     */
    @Nullable FuseDevice copy() {
        int other = Libc.open(PATH, Libc.O_RDWR | Libc.O_CLOEXEC);
        if (other < 0) {
            return null;
        }
        if (Libc.ioctl(other, FUSE_DEV_IOC_CLONE, fd) < 0) {
            Libc.close(other);
            return null;
        }
        return new FuseDevice(other);
    }

    /** Waits for a request; its length, or the negative errno. */
    long read(MemorySegment state, MemorySegment buffer, long bytes) {
        return Libc.read(state, fd, buffer, bytes);
    }

    /** Sends one reply or notification; the length, or the negative errno. */
    long write(MemorySegment state, MemorySegment iov, int count) {
        return Libc.writev(state, fd, iov, count);
    }

    void retain() {
        references.incrementAndGet();
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            Libc.close(fd);
        }
    }
}
