// SPDX-License-Identifier: Apache-2.0
/**
 * What tests share, also those of other modules, in core's test-jar: helpers here, contract suites
 * in contract, the simulator in sim. No tests of its own.
 */
@NullMarked
package io.netfs4j.testing;

import org.jspecify.annotations.NullMarked;
