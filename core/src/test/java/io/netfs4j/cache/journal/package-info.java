// SPDX-License-Identifier: Apache-2.0
/** Tests of the journal, over a disk that forgets what was not forced. */
@NullMarked
package io.netfs4j.cache.journal;

import org.jspecify.annotations.NullMarked;
