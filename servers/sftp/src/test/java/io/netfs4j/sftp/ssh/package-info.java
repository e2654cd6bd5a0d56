// SPDX-License-Identifier: Apache-2.0

/** Tests of how the back end comes to an SSH session. */
package io.netfs4j.sftp.ssh;
