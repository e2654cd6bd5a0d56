// SPDX-License-Identifier: Apache-2.0
/**
 * Links between a client and a server that are slow and break, over real sockets. Read {@link
 * io.netfs4j.testing.net.LinkProxy} first.
 */
@NullMarked
package io.netfs4j.testing.net;

import org.jspecify.annotations.NullMarked;
