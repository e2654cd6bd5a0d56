// SPDX-License-Identifier: Apache-2.0
/**
 * Suites that every implementation of an SPI runs; a binding says how to make one. Read {@link
 * io.netfs4j.testing.contract.ServerContract} first.
 */
@NullMarked
package io.netfs4j.testing.contract;

import org.jspecify.annotations.NullMarked;
