// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.TreeMap;

/**
 * One file, directory or symbolic link of a memory store.
 *
 * <p><b>Threads</b>: guarded by the store's lock.
 */
final class MemoryNode {
    final FileType type;
    final long id;

    /** The entries of a directory; empty for everything else. */
    final TreeMap<String, MemoryNode> children = new TreeMap<>();

    final TreeMap<String, byte[]> xattrs = new TreeMap<>();
    final MemoryContent content;

    /** What a symbolic link points to; empty for everything else. */
    final String target;

    int links = 1;

    /** Open files; the content is freed when this and {@link #links} are 0. */
    int opens;

    private int mode;
    private int uid;
    private int gid;
    private Instant accessed;
    private Instant modified;
    private Instant changed;

    /** Counts changes of content, so that two versions never share a token. */
    private long version;

    MemoryNode(FileType type, long id, int mode, String target, MemorySpace space, Instant now) {
        this.type = type;
        this.id = id;
        this.mode = mode;
        this.target = target;
        content = new MemoryContent(space);
        accessed = now;
        modified = now;
        changed = now;
    }

    boolean isDirectory() {
        return type == FileType.DIRECTORY;
    }

    ServerAttributes attributes() {
        long size =
                type == FileType.SYMLINK
                        ? io.netfs4j.base.Names.encode(target).length
                        : content.sizeBytes();
        return new ServerAttributes(
                type, size, mode, uid, gid, links, accessed, modified, changed, id, token());
    }

    CoherencyToken token() {
        return new CoherencyToken(id + ":" + version);
    }

    void contentChanged(Instant now) {
        version++;
        modified = now;
        changed = now;
    }

    void nameChanged(Instant now) {
        changed = now;
    }

    void apply(AttributeChange change, Instant now) throws FsException {
        Long size = change.sizeBytes();
        if (size != null) {
            resize(size, now);
        }
        mode = or(change.mode(), mode) & 07777;
        uid = or(change.uid(), uid);
        gid = or(change.gid(), gid);
        if (change.accessed() != null) {
            accessed = change.accessed();
        }
        if (change.modified() != null) {
            modified = change.modified();
        }
        changed = change.isEmpty() ? changed : now;
    }

    private void resize(long size, Instant now) throws FsException {
        if (type != FileType.REGULAR) {
            throw new FsException(isDirectory() ? FsError.EISDIR : FsError.EINVAL);
        }
        if (size < 0) {
            throw new FsException(FsError.EINVAL, "a size below 0");
        }
        content.setSize(size);
        contentChanged(now);
    }

    private static int or(@Nullable Integer value, int otherwise) {
        return value == null ? otherwise : value;
    }
}
