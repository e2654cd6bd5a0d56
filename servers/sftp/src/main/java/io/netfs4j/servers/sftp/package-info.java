// SPDX-License-Identifier: Apache-2.0

/**
 * A back end that speaks SFTP.
 *
 * <p>It may import the server SPI, {@code request}, {@code base} and {@code trace} of the library,
 * and nothing else of it.
 */
@NullMarked
package io.netfs4j.servers.sftp;

import org.jspecify.annotations.NullMarked;
