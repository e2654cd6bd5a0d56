// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/** An open directory: a stable listing while it is open. Made and used by one {@link Vfs}. */
public interface OpenDirectory {
    long ino();
}
