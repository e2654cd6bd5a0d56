// SPDX-License-Identifier: Apache-2.0

/**
 * The library's root: what a program that embeds netfs4j starts from.
 *
 * <p>It may import every other package of the library; none of them imports it, the doors apart.
 */
@NullMarked
package io.netfs4j;

import org.jspecify.annotations.NullMarked;
