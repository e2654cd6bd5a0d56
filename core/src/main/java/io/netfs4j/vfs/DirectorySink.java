// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.FileType;

import org.jspecify.annotations.Nullable;

/** Takes the entries of a directory while there is room. */
@FunctionalInterface
public interface DirectorySink {
    /**
     * @param nextCookie where to go on after this entry
     * @param entry the whole entry where asked for and known, else null; when it is taken, the file
     *     has been looked up once more (see {@link Vfs#forget})
     * @return false when it did not fit; the entry then counts as not given
     */
    boolean entry(String name, long ino, FileType type, long nextCookie, @Nullable Entry entry);
}
