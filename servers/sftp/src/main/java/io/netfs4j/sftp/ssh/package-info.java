// SPDX-License-Identifier: Apache-2.0

/**
 * How the SFTP back end comes to an authenticated SSH session: options and {@code ssh_config},
 * identities and agent, {@code known_hosts}, jumps. Imports {@code base} and Apache MINA SSHD.
 *
 * <p>Read first: {@link io.netfs4j.sftp.ssh.SshTarget} (what is asked for), {@link
 * io.netfs4j.sftp.ssh.SshConnector} (how it is done), {@link io.netfs4j.sftp.ssh.HostKeyCheck} (who
 * is trusted).
 *
 * <p>Threads: connecting waits on its caller's thread; MINA's threads are named {@code netfs-ssh-…}
 * and are daemons.
 */
@NullMarked
package io.netfs4j.sftp.ssh;

import org.jspecify.annotations.NullMarked;
