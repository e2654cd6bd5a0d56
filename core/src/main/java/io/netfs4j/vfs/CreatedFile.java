// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/** A file that was created (or found, when creation was not exclusive) and opened in one step. */
public record CreatedFile(Entry entry, OpenFile file) {}
