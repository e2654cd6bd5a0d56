// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

/**
 * Whether what the server has of a file would outlive the server: it was asked to force it to its
 * stable storage after it had got the last of it (I2). Only what fsync answers for counts: bytes
 * that were uploaded, and sizes that were set.
 */
final class Forced {
    private int uploadedAt;
    private int forcedAt;

    /** The server has got bytes and has said so. */
    void uploaded(int moment) {
        uploadedAt = moment;
    }

    /** When the last bytes came. */
    int uploadedAt() {
        return uploadedAt;
    }

    /** It has forced what it had at a moment. */
    void forced(int moment) {
        forcedAt = Math.max(forcedAt, moment);
    }

    /** Judges an fsync that succeeded, when the last bytes before it came at a moment. */
    void check(int uploaded, int number) {
        if (forcedAt < uploaded) {
            throw new Violation(
                    "I2",
                    "after fsync the server was not asked to force what it has of file " + number);
        }
    }
}
