// SPDX-License-Identifier: Apache-2.0

/**
 * A back end that speaks SFTP version 3 to a server, OpenSSH above all. It may import the server
 * SPI, {@code request}, {@code base} and {@code trace} of the library, and nothing else of it. The
 * SSH layer is Apache MINA SSHD's; the SFTP layer is written here, since MINA's client has one
 * write in flight and waits for it.
 *
 * <p>Read first: {@link io.netfs4j.sftp.SftpServer} (names), {@link io.netfs4j.sftp.SftpFile}
 * (data), {@link io.netfs4j.sftp.SftpConnection} (requests on the wire), {@link
 * io.netfs4j.sftp.Link} (connections that come and go).
 *
 * <p>Threads: name operations wait on their caller's thread. One thread per connection writes
 * packets; replies are handled on MINA's reading thread, which never waits here. Lock order: a
 * file's, then the handle table's, the window's, the link's, the connection's; no listener is
 * called with any of them held.
 */
@NullMarked
package io.netfs4j.sftp;

import org.jspecify.annotations.NullMarked;
