// SPDX-License-Identifier: Apache-2.0

/** Tests of the SFTP back end: parts alone, a hostile server, and OpenSSH. */
package io.netfs4j.sftp;
