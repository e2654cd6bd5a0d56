// SPDX-License-Identifier: Apache-2.0

/**
 * The door for the operating system: the kernel's FUSE protocol, spoken over {@code /dev/fuse}.
 *
 * <p>It may import any package of the library; none of them imports it.
 */
@NullMarked
package io.netfs4j.fuse;

import org.jspecify.annotations.NullMarked;
