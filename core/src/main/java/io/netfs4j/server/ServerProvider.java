// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;

import java.util.Set;

/**
 * Finds servers by the scheme of a remote's URI; found itself by {@link java.util.ServiceLoader}.
 */
public interface ServerProvider {
    /** The schemes it answers to, lower case: "sftp". */
    Set<String> schemes();

    /** What people call such a remote: "an SFTP server". */
    String words();

    /** One line for people: what the server is and the form of its URI. */
    String usage();

    /** The names of the options it understands; others are refused by the caller. */
    Set<String> optionNames();

    /**
     * Connects and checks that the remote's root is there, a directory.
     *
     * <p>May wait, interruptibly.
     *
     * @throws FsException with a message that names the thing and the remedy: EINVAL (the remote or
     *     an option cannot be understood), ENOENT or ENOTDIR (the root), EACCES (not let in),
     *     EKEYREJECTED (the server is not who it was), EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT
     */
    Server connect(Remote remote, ServerOptions options, Environment environment)
            throws FsException;
}
