// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a change of attributes into requests whose order keeps all of it: the size before the times,
 * which it would touch; the owner before the mode, which it would strip of set-user-id.
 */
final class AttributeSteps {
    private AttributeSteps() {}

    /**
     * The requests to send, in order.
     *
     * @param known gives the other of two values that the protocol sets only together
     */
    static List<WireAttributes> of(AttributeChange change, ServerAttributes known) {
        List<WireAttributes> steps = new ArrayList<>();
        if (setsOwner(change)) {
            steps.add(owners(change, known));
        }
        WireAttributes sizeAndMode = WireAttributes.ofSizeAndMode(change);
        if (!sizeAndMode.isEmpty()) {
            steps.add(sizeAndMode);
        }
        if (setsTimes(change)) {
            steps.add(times(change, known));
        }
        return steps;
    }

    static boolean setsOwner(AttributeChange change) {
        return change.uid() != null || change.gid() != null;
    }

    static boolean setsTimes(AttributeChange change) {
        return change.accessed() != null || change.modified() != null;
    }

    /** Whether one of two values that go together is missing in the change. */
    static boolean needsKnown(AttributeChange change) {
        return (change.uid() == null) != (change.gid() == null)
                || (change.accessed() == null) != (change.modified() == null);
    }

    static WireAttributes owners(AttributeChange change, ServerAttributes known) {
        Integer uid = change.uid();
        Integer gid = change.gid();
        return WireAttributes.ofOwners(
                uid == null ? known.uid() : uid, gid == null ? known.gid() : gid);
    }

    static WireAttributes times(AttributeChange change, ServerAttributes known) {
        Instant accessed = change.accessed();
        Instant modified = change.modified();
        return WireAttributes.ofTimes(
                accessed == null ? known.accessed() : accessed,
                modified == null ? known.modified() : modified);
    }
}
