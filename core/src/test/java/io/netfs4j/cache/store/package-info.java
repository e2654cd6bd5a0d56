// SPDX-License-Identifier: Apache-2.0
/** Tests of the disk cache. */
@NullMarked
package io.netfs4j.cache.store;

import org.jspecify.annotations.NullMarked;
