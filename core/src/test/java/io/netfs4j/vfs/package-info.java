// SPDX-License-Identifier: Apache-2.0
/** Tests of the vfs over the memory server. */
@NullMarked
package io.netfs4j.vfs;

import org.jspecify.annotations.NullMarked;
