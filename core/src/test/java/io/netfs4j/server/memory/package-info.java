// SPDX-License-Identifier: Apache-2.0
/** Tests of the back end of the same name. */
@NullMarked
package io.netfs4j.server.memory;

import org.jspecify.annotations.NullMarked;
