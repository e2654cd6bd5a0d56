// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;

/** An open file of the model, and which errors it has heard of (I17). */
final class Handle {
    final OpenFile open;
    final OpenFlags flags;
    final ModelNode node;
    final ModelFile file;

    /** Operations under way; 0 when it may be closed. */
    int busy;

    boolean closing;

    /** Errors up to this number need not be heard of any more. */
    private int heard;

    /** An error past this number must exist for another to be told. */
    private int told;

    Handle(OpenFile open, OpenFlags flags, ModelNode node, ModelFile file) {
        this.open = open;
        this.flags = flags;
        this.node = node;
        this.file = file;
        heard = file.unheard.heardAtOpening(file.errors());
        // An error that nobody has heard of yet is told to the next who opens.
        told = Math.max(0, file.errors() - 1);
        file.opens++;
    }

    /**
     * @param errorsBefore the file's errors when the fsync began
     * @param mustBefore the last of them that has to be told
     */
    void fsyncSucceeded(int mustBefore) {
        if (mustBefore > heard && !file.unlinked) {
            throw new Violation(
                    "I17",
                    "fsync of file "
                            + file.number
                            + " succeeds after error "
                            + mustBefore
                            + "; this open file has heard of "
                            + heard
                            + " only");
        }
    }

    /** It was perhaps told of what there was: fsync may tell it, too. */
    void perhapsTold() {
        heard = file.errors();
        file.unheard.told();
    }

    void toldOf(FsException error, int errorsBefore, String where) {
        // Two that wait for the same upload are both told of its failure: to tell one of them that
        // its bytes are on the server would be a lie.
        if (file.errors() <= told && file.errors() <= errorsBefore) {
            throw new Violation(
                    "I17",
                    where + " of file " + file.number + " fails without a new error: " + error);
        }
        heard = file.errors();
        file.unheard.told();
        told = Math.min(file.errors(), Math.max(errorsBefore, told + 1));
    }
}
