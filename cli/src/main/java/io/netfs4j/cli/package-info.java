// SPDX-License-Identifier: Apache-2.0

/**
 * The door for people: the {@code netfs} command.
 *
 * <p>It may import the library, its back ends and the FUSE door; nothing imports it.
 */
@NullMarked
package io.netfs4j.cli;

import org.jspecify.annotations.NullMarked;
