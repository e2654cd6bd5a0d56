// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import org.jspecify.annotations.Nullable;

/**
 * How a directory is mounted; the names are those that other FUSE file systems use.
 *
 * @param source what the mount table shows as the device, usually the remote
 * @param readOnly the kernel refuses every change ({@code ro})
 * @param allowOther other users may enter ({@code allow_other}); not root needs {@code
 *     user_allow_other} in /etc/fuse.conf
 * @param defaultPermissions the kernel checks permission bits ({@code default_permissions})
 * @param owner what is shown instead of the server's owners and modes
 * @param timeouts for how long the kernel may believe names and attributes
 * @param limits sizes and counts
 * @param kernelWritebackCache the kernel acknowledges writes before we see them, and keeps size and
 *     times itself ({@code writeback_cache}): faster for small writes, and what it holds is lost
 *     with us; changes made on the server may be overlooked
 */
public record FuseOptions(
        String source,
        boolean readOnly,
        boolean allowOther,
        boolean defaultPermissions,
        Owner owner,
        Timeouts timeouts,
        Limits limits,
        boolean kernelWritebackCache) {

    /**
     * Owner and permission bits shown for every file; null shows the server's.
     *
     * @param umask bits that no file shows, all others being set, as sshfs does
     */
    public record Owner(@Nullable Integer uid, @Nullable Integer gid, @Nullable Integer umask) {
        public static final Owner SERVERS = new Owner(null, null, null);
    }

    /** Overrides of what the file system itself says; null leaves it the word. */
    public record Timeouts(@Nullable Long entryNanos, @Nullable Long attributesNanos) {
        public static final Timeouts FILE_SYSTEMS = new Timeouts(null, null);
    }

    /**
     * Sizes and counts, each bounded.
     *
     * @param readBytesMax the largest read request ({@code max_read}), 4 KiB to 1 MiB
     * @param writeBytesMax the largest write request ({@code max_write}), 4 KiB to 1 MiB
     * @param readers threads that read the device, 1 to 16
     * @param inHandMax requests that may wait at the same time
     * @param largeBuffersMax buffers of {@code writeBytesMax} for writes that wait, and as many for
     *     reads that wait; a reader that finds none waits for one
     * @param smallBuffersMax the same, for up to {@link #SMALL_BYTES}
     */
    public record Limits(
            int readBytesMax,
            int writeBytesMax,
            int readers,
            int inHandMax,
            int largeBuffersMax,
            int smallBuffersMax) {
        /** Up to here a waiting write is copied instead of taking the reader's buffer away. */
        public static final int SMALL_BYTES = 64 << 10;

        private static final int REQUEST_BYTES_MIN = 4096;
        private static final int REQUEST_BYTES_MAX = 1 << 20;
        private static final int READERS_MAX = 16;

        /** 1 MiB requests, 1024 waiting, at most 40 MiB of buffers beside the readers' own. */
        public static final Limits DEFAULT =
                new Limits(REQUEST_BYTES_MAX, REQUEST_BYTES_MAX, defaultReaders(), 1024, 16, 64);

        public Limits {
            requireSize("max_read", readBytesMax);
            requireSize("max_write", writeBytesMax);
            if (readers < 1 || readers > READERS_MAX) {
                throw new IllegalArgumentException("readers must be 1 to " + READERS_MAX);
            }
            if (inHandMax < 1 || largeBuffersMax < 1 || smallBuffersMax < 1) {
                throw new IllegalArgumentException("every limit must be at least 1");
            }
        }

        private static void requireSize(String name, int bytes) {
            if (bytes < REQUEST_BYTES_MIN || bytes > REQUEST_BYTES_MAX) {
                throw new IllegalArgumentException(
                        name + " must be " + REQUEST_BYTES_MIN + " to " + REQUEST_BYTES_MAX);
            }
        }

        private static int defaultReaders() {
            return Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 4);
        }
    }

    /** Read and write, for the mounting user alone, permissions checked, the server's owners. */
    public static FuseOptions of(String source) {
        return new FuseOptions(
                source,
                false,
                false,
                true,
                Owner.SERVERS,
                Timeouts.FILE_SYSTEMS,
                Limits.DEFAULT,
                false);
    }

    public FuseOptions withReadOnly(boolean value) {
        return new FuseOptions(
                source,
                value,
                allowOther,
                defaultPermissions,
                owner,
                timeouts,
                limits,
                kernelWritebackCache);
    }

    public FuseOptions withAllowOther(boolean value) {
        return new FuseOptions(
                source,
                readOnly,
                value,
                defaultPermissions,
                owner,
                timeouts,
                limits,
                kernelWritebackCache);
    }

    public FuseOptions withDefaultPermissions(boolean value) {
        return new FuseOptions(
                source, readOnly, allowOther, value, owner, timeouts, limits, kernelWritebackCache);
    }

    public FuseOptions withOwner(Owner value) {
        return new FuseOptions(
                source,
                readOnly,
                allowOther,
                defaultPermissions,
                value,
                timeouts,
                limits,
                kernelWritebackCache);
    }

    public FuseOptions withTimeouts(Timeouts value) {
        return new FuseOptions(
                source,
                readOnly,
                allowOther,
                defaultPermissions,
                owner,
                value,
                limits,
                kernelWritebackCache);
    }

    public FuseOptions withLimits(Limits value) {
        return new FuseOptions(
                source,
                readOnly,
                allowOther,
                defaultPermissions,
                owner,
                timeouts,
                value,
                kernelWritebackCache);
    }

    public FuseOptions withKernelWritebackCache(boolean value) {
        return new FuseOptions(
                source, readOnly, allowOther, defaultPermissions, owner, timeouts, limits, value);
    }
}
