using System.Net.Sockets;
using Renci.SshNet.Common;
using Renci.SshNet.Messages.Transport;

namespace Exchange.Adapters.Sftp;

/// <summary>What went wrong on the other side, for the operator: kinds and system words, since a message might quote what the other side sent.</summary>
static class SftpReason
{
    public const string NotThere = "sftp: the folder is not there";

    // The package parses what a stranger's server sends. Whatever it makes of that ends this attempt, not the gateway.
    public static bool IsTheirs(Exception e) => e is not OutOfMemoryException;

    public static string Of(Exception e) => e switch
    {
        OperationCanceledException => "cancelled",
        BusyException => "sftp: all connections are in use",
        NoRoomException room => room.Message,
        SourceException => "the stored envelope cannot be read",
        HostKeyException key => $"settings: hostKey: the server shows SHA256:{key.Shown}",
        SshAuthenticationException => "sftp: not let in: user, or the gateway's key there",
        SshOperationTimeoutException => "sftp: no answer in time",
        SftpPermissionDeniedException => "sftp: permission denied",
        SftpPathNotFoundException => NotThere,
        SftpException { StatusCode: var status } => $"sftp: the server says {status}",
        SocketException socket => $"connection: {socket.SocketErrorCode}",
        SshConnectionException { DisconnectReason: not (DisconnectReason.None or DisconnectReason.ConnectionLost or DisconnectReason.ByApplication) and var reason } => $"connection: {reason}",
        // The package's words for a session that ended under its feet.
        SshException or InvalidOperationException => "connection: lost",
        IOException => "here: I/O error",
        _ => $"connection: {e.GetType().Name}",
    };
}
