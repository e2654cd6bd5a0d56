// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** What an open file is to be used for. */
public enum Access {
    READ,
    WRITE,
    READ_WRITE;

    public boolean reads() {
        return this != WRITE;
    }

    public boolean writes() {
        return this != READ;
    }
}
