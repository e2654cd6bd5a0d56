// SPDX-License-Identifier: Apache-2.0
/**
 * Names, inodes, open files, attributes, exclusion, close-to-open coherency and error reporting:
 * what every door calls. Read {@link io.netfs4j.vfs.Vfs} first. Imports engine and everything to
 * its right.
 *
 * <p>Threads: callers' own; the only floor beside the doors and the back ends that waits, and
 * always through {@link io.netfs4j.base.Waits}, with no lock held.
 */
@NullMarked
package io.netfs4j.vfs;

import org.jspecify.annotations.NullMarked;
