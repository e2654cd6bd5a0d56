// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsException;

/**
 * Why a connection ended.
 *
 * @param violated the server broke the protocol: unlike a lost connection this is an answer, and
 *     asking again has a bound
 * @param closed we ended it on purpose and will not connect again
 */
record Loss(FsException cause, boolean violated, boolean closed) {}
