// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

/**
 * A file with bytes that are not on the server.
 *
 * @param path below the mount point
 * @param bytes how many are not on the server
 * @param reason what the server answered, or why they were not sent
 */
record Unsaved(String path, long bytes, String reason) {
    /** One line for people. */
    String line() {
        return Printable.of(path + " (" + Quantity.bytes(bytes) + "): " + reason.strip());
    }
}
