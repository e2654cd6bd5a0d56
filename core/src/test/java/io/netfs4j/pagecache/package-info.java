// SPDX-License-Identifier: Apache-2.0
/** Tests of the package of the same name, against plain models where that says more. */
@NullMarked
package io.netfs4j.pagecache;

import org.jspecify.annotations.NullMarked;
