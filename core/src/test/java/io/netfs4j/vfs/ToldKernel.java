// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers of which inodes a kernel was told that they do not count any more. */
final class ToldKernel implements KernelCache {
    final List<Long> inodes = new CopyOnWriteArrayList<>();

    @Override
    public void invalidate(long ino, long position, long length) {
        inodes.add(ino);
    }

    @Override
    public void invalidateEntry(long parent, String name) {}
}
