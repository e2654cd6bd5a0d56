// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

/**
 * How long is the server's file? A write request begins with this question where a write past the
 * page cache has failed and the server could not be asked then ({@link InodeData#isSizeInDoubt}): a
 * piece may end in the middle of a granule only at the file's end.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class SizeQuestion {
    private final WriteRequest request;
    private final InodeData inode;
    private @Nullable Completion<ServerAttributes> answer;

    SizeQuestion(WriteRequest request) {
        this.request = request;
        this.inode = request.inode();
    }

    /** Asks by the commit of a session without pieces, which does not wait. */
    @GuardedBy("inode lock")
    void ask(WriteSession empty) {
        Completion<ServerAttributes> asked = new Completion<>();
        answer = asked;
        inode.listener().onCommitting();
        try {
            empty.commit(PendingTimes.NONE.change(), asked);
        } catch (RuntimeException e) {
            asked.fail(BackEnd.report("the commit of a session without pieces", e));
        }
        asked.whenDone((attributes, problem) -> request.post());
    }

    /** Whether an answer has come that was not taken in yet, or is still to come. */
    boolean isOpen() {
        return answer != null;
    }

    /** Takes in the answer; false when there is none yet. */
    @GuardedBy("inode lock")
    boolean isAnswered() throws FsException {
        Completion<ServerAttributes> asked = answer;
        if (asked == null || !asked.isDone()) {
            return false;
        }
        answer = null;
        ServerAttributes attributes = asked.get();
        inode.setToken(attributes.token());
        inode.learnSize(attributes.sizeBytes());
        inode.listener().onCommitted(attributes);
        return true;
    }
}
