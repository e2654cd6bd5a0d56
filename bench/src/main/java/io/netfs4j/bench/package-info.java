// SPDX-License-Identifier: Apache-2.0

/** Benchmarks: measurements that the documents quote, and the commands that repeat them. */
@NullMarked
package io.netfs4j.bench;

import org.jspecify.annotations.NullMarked;
