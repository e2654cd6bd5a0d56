// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What is to be mounted where and how, as the command line said it.
 *
 * @param remoteText the remote as written
 * @param from the directory that relative names are relative to
 * @param directory the mount point as written, made absolute
 * @param options by name, with their values in order; files named in them are absolute
 */
record MountPlan(String remoteText, Path from, Path directory, Map<String, List<String>> options) {}
