// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** A file that was opened or created, and what the server said of it at that moment. */
public record OpenedFile(ServerFile file, ServerAttributes attributes) {}
