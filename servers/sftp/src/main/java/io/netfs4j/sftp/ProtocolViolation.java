// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import java.io.IOException;

/** The server sent what it may not. The connection is not read any further. */
final class ProtocolViolation extends IOException {
    private static final long serialVersionUID = 1L;

    ProtocolViolation(String message) {
        super(message);
    }
}
