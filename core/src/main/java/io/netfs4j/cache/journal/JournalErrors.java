// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemErrors;

/** What the disk throws, with what it was for. */
final class JournalErrors {
    private JournalErrors() {}

    static FsException of(String what, Exception e) {
        return new FsException(SystemErrors.of(e), what + ": " + e.getMessage(), e);
    }
}
