// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.InodeData;

/** What becomes of reads of files that another client has cut. */
final class CutFiles {
    /** So often is a file looked at during one read that another client cuts all the time. */
    private static final int LOOKS_MAX = 10;

    private final VfsParts parts;
    private final AttributeOperations attributes;

    CutFiles(VfsParts parts, AttributeOperations attributes) {
        this.parts = parts;
        this.attributes = attributes;
    }

    /**
     * Another client has cut the file: what it is now is asked, and everything read anew. Of a file
     * with unsaved changes what is gone was part of what they build on; the upload will find out.
     *
     * @param position from where on bytes are wanted
     * @param looks how often this read has come here
     * @throws FsException ESTALE when nobody has the bytes any more that are wanted
     */
    void lookAgain(OpenedInode file, long position, int looks) throws FsException {
        InodeData data = file.data;
        file.inode.lock.lock();
        try {
            if (data.isUnsaved() && !parts.options().conflicts().areLookedFor()) {
                data.acceptCut();
                return;
            }
            boolean isGone = data.isCut() && data.isUnsaved() && position >= data.knownEnd();
            if (isGone || looks > LOOKS_MAX) {
                throw new FsException(
                        FsError.ESTALE,
                        data.listener().name()
                                + ": another client has cut it; what was read here is gone");
            }
            if (data.isUnsaved()) {
                return; // What is left is read.
            }
        } finally {
            file.inode.lock.unlock();
        }
        attributes.ask(file.inode);
        file.inode.lock.lock();
        try {
            if (data.isCut() && !data.isUnsaved()) {
                // Grown again, and looking as before.
                parts.coherency().drop(file.inode, data);
            }
        } finally {
            file.inode.lock.unlock();
        }
    }
}
