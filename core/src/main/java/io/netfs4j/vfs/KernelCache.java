// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/**
 * The caches in front of this one (the operating system's), told when something changed that they
 * cannot know of.
 *
 * <p><b>Threads</b>: called with or without locks held, so an implementation must neither wait nor
 * call back; it queues.
 */
public interface KernelCache {
    /** Bytes and attributes of a file no longer count; a negative length means to the end. */
    void invalidate(long ino, long position, long length);

    /** A file has become shorter than it was said to be; called before that is shown. */
    default void shrank(long ino) {}

    /** A name no longer stands for what it stood for. */
    void invalidateEntry(long parent, String name);

    /** Nobody in front. */
    KernelCache NONE =
            new KernelCache() {
                @Override
                public void invalidate(long ino, long position, long length) {}

                @Override
                public void invalidateEntry(long parent, String name) {}
            };
}
