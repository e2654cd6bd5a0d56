// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

/**
 * The last error of a file that nobody has heard of: it is told to who opens the file next (I17),
 * for as long as somebody has it open. When nobody has, the mount may forget the file and with it
 * what went wrong.
 */
final class Unheard {
    private int owed;
    private int last;

    /** An error happened that each open file has to hear of. */
    void failed(int error, int opens) {
        owed = opens > 0 ? error : owed;
        last = error;
    }

    /** The last of them. */
    int last() {
        return last;
    }

    /** Somebody was told of all there was. */
    void told() {
        owed = 0;
    }

    void closed(int opens) {
        owed = opens > 0 ? owed : 0;
    }

    /** Up to which error one who opens the file now need not hear. */
    int heardAtOpening(int errors) {
        return owed > 0 ? owed - 1 : errors;
    }
}
