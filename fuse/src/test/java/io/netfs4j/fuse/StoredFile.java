// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.server.FileType;
import io.netfs4j.vfs.Attributes;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/** One file or directory of a {@link StoredVfs}; guarded by its lock. */
final class StoredFile {
    final long ino;
    final FileType type;
    final Map<String, StoredFile> children = new TreeMap<>();
    final Map<String, byte[]> xattrs = new TreeMap<>();
    int mode;
    int uid;
    int gid;
    int links = 1;
    long lookups;
    String target = "";
    Instant accessed;
    Instant modified;
    Instant changed;
    ByteBuffer data = ByteBuffer.allocateDirect(4096);
    int size;

    StoredFile(long ino, FileType type, int mode, Instant now) {
        this.ino = ino;
        this.type = type;
        this.mode = mode;
        accessed = now;
        modified = now;
        changed = now;
        if (type == FileType.DIRECTORY) {
            links = 2;
        }
    }

    Attributes attributes() {
        long length = type == FileType.SYMLINK ? target.length() : size;
        return new Attributes(
                ino, type, length, mode, uid, gid, links, accessed, modified, changed);
    }

    void resize(int newSize) {
        if (newSize > data.capacity()) {
            ByteBuffer larger = ByteBuffer.allocateDirect(Math.max(newSize, data.capacity() * 2));
            larger.put(0, data, 0, size);
            data = larger;
        }
        for (int i = newSize; i < size; i++) {
            data.put(i, (byte) 0);
        }
        size = newSize;
    }

    void put(int position, ByteBuffer source) {
        int count = source.remaining();
        if (position + count > size) {
            resize(position + count);
        }
        data.put(position, source, source.position(), count);
        source.position(source.limit());
    }
}
