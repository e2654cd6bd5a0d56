// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** What a name stands for. */
public enum FileType {
    REGULAR,
    DIRECTORY,
    SYMLINK,
    /** Device, socket or pipe: shown, never opened. */
    OTHER
}
