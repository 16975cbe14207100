using System.Runtime.CompilerServices;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// fsync@openssh.com (OpenSSH's PROTOCOL, 4.4): SSH_FXP_EXTENDED with that name and a handle; the server answers when fsync(2) has returned. On a file it makes the bytes durable, on an
/// opened folder the names in it. SSH.NET has no call for it, and the session that would send it is internal. So its fstatvfs request, which has the very same form, is sent under the
/// other name, through accessors that the runtime binds to the types of the package. A version of the package that moved them fails at the first call: see the sync test.
/// </summary>
static class SftpSync
{
    const string Extension = "fsync@openssh.com", Sftp = "Renci.SshNet.Sftp.", Package = ", Renci.SshNet";
    const string SessionType = Sftp + "SftpSession" + Package, Reply = "System.Action`1[[" + Sftp + "Responses.SftpExtendedReplyResponse" + Package + "]]", Status = "System.Action`1[[" + Sftp + "Responses.SftpStatusResponse" + Package + "]]";

    /// <summary>Asks the server to sync what is behind this handle.</summary>
    /// <returns>What it said; <see cref="StatusCode.OperationUnsupported"/>: it does not know the request.</returns>
    /// <exception cref="SshException">The connection ended, or no answer came in time.</exception>
    public static Task<StatusCode> RunAsync(SftpClient client, byte[] handle, CancellationToken cancel)
    {
        var session = Session(client) ?? throw new SshConnectionException("not connected");
        var answer = new TaskCompletionSource<StatusCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Delegates take more general ones: the package's type of a response need not be named to receive it.
        var request = NewRequest((uint)client.ProtocolVersion, NextId(session), handle, (Action<object>)(_ => answer.TrySetResult(StatusCode.BadMessage)), (Action<object>)(response => answer.TrySetResult(CodeOf(response))));
        SetName(request, Extension);
        Send(session, request);
        return WaitAsync(session, answer, (int)client.OperationTimeout.TotalMilliseconds, cancel);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_SftpSession")]
    [return: UnsafeAccessorType(Sftp + "ISftpSession" + Package)]
    static extern object? Session(SftpClient client);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_NextRequestId")]
    static extern uint NextId([UnsafeAccessorType(SessionType)] object session);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    [return: UnsafeAccessorType(Sftp + "Requests.FStatVfsRequest" + Package)]
    static extern object NewRequest(uint version, uint id, byte[] handle, [UnsafeAccessorType(Reply)] object reply, [UnsafeAccessorType(Status)] object status);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Name")]
    static extern void SetName([UnsafeAccessorType(Sftp + "Requests.SftpExtendedRequest" + Package)] object request, string name);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "SendRequest")]
    static extern void Send([UnsafeAccessorType(SessionType)] object session, [UnsafeAccessorType(Sftp + "Requests.SftpRequest" + Package)] object request);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_StatusCode")]
    static extern StatusCode CodeOf([UnsafeAccessorType(Sftp + "Responses.SftpStatusResponse" + Package)] object response);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "WaitOnHandleAsync")]
    static extern Task<T> WaitAsync<T>([UnsafeAccessorType("Renci.SshNet.SubsystemSession" + Package)] object session, TaskCompletionSource<T> answer, int milliseconds, CancellationToken cancel);
}
