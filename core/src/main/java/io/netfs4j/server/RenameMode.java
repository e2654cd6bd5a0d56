// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** The flags of renameat2(2). */
public enum RenameMode {
    /** Replaces an existing target. */
    REPLACE,
    /** Fails with EEXIST when the target exists. */
    NOREPLACE,
    /** Swaps the two names; both must exist. */
    EXCHANGE
}
